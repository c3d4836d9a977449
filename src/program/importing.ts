/** Whether a program's module is being imported just now, by the command line or a worker: then it must not run itself. */
export const importing: { active: boolean } = { active: false };
