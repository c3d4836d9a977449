import { runReference } from "/work/main/test/model/run.ts";
import { runOnEngine } from "/work/main/test/conformance/golden-pipeline.ts";
const s = JSON.parse(process.argv[2]!);
const o = process.argv[3] ? JSON.parse(process.argv[3]) : {};
console.log("ref", JSON.stringify(runReference(s).panes), JSON.stringify(runReference(s).late));
console.log("eng", JSON.stringify(await runOnEngine(s, o)));
