/** The benchmark programs (command.ts), started as the command `tidemark` starts programs: with what Node compiled the last time. */
import { enableCompileCache } from "node:module";

enableCompileCache();
await import("./command.ts");
