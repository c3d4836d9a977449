/*
 * Loaded before libc (LD_PRELOAD): has the n-th call of one kind to files of one folder fail, or kills the process before it.
 *
 *   FAULT_FOLDER  absolute path: only files under it count
 *   FAULT_CALL    sync, write, rename or open
 *   FAULT_AT      which call of that kind, from 1
 *   FAULT_DO      kill, or an errno: from that call on all fail with it
 *   FAULT_LOG     a file that gets a line when it happens
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int count;

static int in_folder(const char *path) {
  const char *folder = getenv("FAULT_FOLDER");
  return folder != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int fd_in_folder(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return in_folder(path);
}

static void log_fault(void) {
  const char *path = getenv("FAULT_LOG");
  static ssize_t (*real_write)(int, const void *, size_t);
  static int (*real_open)(const char *, int, ...);
  if (path == NULL) return;
  if (real_write == NULL) real_write = dlsym(RTLD_NEXT, "write");
  if (real_open == NULL) real_open = dlsym(RTLD_NEXT, "open");
  int fd = real_open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (fd < 0) return;
  real_write(fd, "fault\n", 6);
  close(fd);
}

/* Whether this call has to fail, with errno set. Does not come back where it kills. */
static int fails(const char *call) {
  const char *wanted = getenv("FAULT_CALL"), *at = getenv("FAULT_AT"), *what = getenv("FAULT_DO");
  if (wanted == NULL || at == NULL || what == NULL || strcmp(wanted, call) != 0) return 0;
  int n = atomic_fetch_add(&count, 1) + 1;
  if (n < atoi(at)) return 0;
  if (n == atoi(at)) log_fault();
  if (strcmp(what, "kill") == 0) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  errno = atoi(what);
  return 1;
}

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) real = dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *bytes, size_t size) {
  REAL(ssize_t, "write", int, const void *, size_t);
  if (fd > 2 && fd_in_folder(fd) && fails("write")) return -1;
  return real(fd, bytes, size);
}
ssize_t writev(int fd, const struct iovec *parts, int size) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  if (fd > 2 && fd_in_folder(fd) && fails("write")) return -1;
  return real(fd, parts, size);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  if (fd_in_folder(fd) && fails("write")) return -1;
  return real(fd, bytes, size, at);
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
  REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
  if (fd_in_folder(fd) && fails("write")) return -1;
  return real(fd, bytes, size, at);
}
int fsync(int fd) {
  REAL(int, "fsync", int);
  if (fd_in_folder(fd) && fails("sync")) return -1;
  return real(fd);
}
int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  if (fd_in_folder(fd) && fails("sync")) return -1;
  return real(fd);
}
int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  if (in_folder(to) && fails("rename")) return -1;
  return real(from, to);
}
int open(const char *path, int flags, ...) {
  REAL(int, "open", const char *, int, ...);
  va_list rest;
  va_start(rest, flags);
  int mode = va_arg(rest, int);
  va_end(rest);
  if (in_folder(path) && fails("open")) return -1;
  return real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  REAL(int, "open64", const char *, int, ...);
  va_list rest;
  va_start(rest, flags);
  int mode = va_arg(rest, int);
  va_end(rest);
  if (in_folder(path) && fails("open")) return -1;
  return real(path, flags, mode);
}
