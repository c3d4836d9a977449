/** A planned pipeline as text and as a Mermaid drawing. */
import type { PipelineGraph, Step } from "../graph/graph.ts";
import type { Stage } from "../host/stage.ts";

function describe(step: Step): string {
  const { spec } = step;
  if (spec.kind === "read") return `read ${spec.source.name}`;
  if (spec.kind === "write") return `write ${spec.sink.name}`;
  if (spec.kind === "combinePerKey") return `combine per key: ${spec.name}`;
  return spec.kind;
}

/** Stage by stage: its steps, windowing, lane and the reason for both. */
export function printText(graph: PipelineGraph, stages: readonly Stage[]): string {
  const lines = [`pipeline ${graph.name}: ${graph.steps.length} steps in ${stages.length} stages`];
  for (const stage of stages) {
    lines.push("", `stage ${stage.id} (${stage.kind}${stage.lane ? `, lane ${stage.lane}` : ""}): ${stage.why}`);
    for (const id of stage.steps) {
      const step = graph.steps[id] as Step;
      lines.push(`  ${step.name}  [${describe(step)}]${step.at ? `  ${step.at}` : ""}`);
      const collection = graph.collections[step.outputs["main"] as number];
      if (collection !== undefined && step.spec.kind === "windowInto") {
        const { windowFn, trigger, accumulation, allowedLateness } = collection.windowing;
        lines.push(
          `    windows ${step.spec.keepsWindows ? "kept" : windowFn.name}, trigger ${trigger.kind}, ${accumulation}, allowed lateness ${allowedLateness} ms`,
        );
      }
    }
    const from = stage.inputs.map((id) => graph.steps[graph.collections[id]?.producer as number]?.name);
    if (from.length > 0) lines.push(`  from ${from.join(", ")}`);
    const views = stage.views.map((id) => graph.steps[graph.views[id]?.step as number]?.name);
    if (views.length > 0) lines.push(`  side inputs ${views.join(", ")}`);
  }
  return `${lines.join("\n")}\n`;
}

/** A Mermaid flowchart: a box for each stage, an arrow for each collection, dotted for side inputs. */
export function printMermaid(graph: PipelineGraph, stages: readonly Stage[]): string {
  const quote = (text: string): string => `"${text.replaceAll('"', "#quot;")}"`;
  const lines = ["flowchart TD"];
  for (const stage of stages) {
    lines.push(`  subgraph s${stage.id} [${quote(`stage ${stage.id}${stage.lane ? `: ${stage.lane} lane` : ""}`)}]`);
    for (const id of stage.steps) lines.push(`    t${id}[${quote((graph.steps[id] as Step).name)}]`);
    lines.push("  end");
  }
  for (const step of graph.steps) {
    for (const input of step.inputs) lines.push(`  t${graph.collections[input]?.producer} --> t${step.id}`);
    for (const [name, view] of Object.entries(step.sideInputs))
      lines.push(`  t${graph.views[view]?.step} -. ${name} .-> t${step.id}`);
  }
  return `${lines.join("\n")}\n`;
}
