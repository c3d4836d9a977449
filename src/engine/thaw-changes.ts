/**
 * Brings into memory what has changed in the records of a step since rows were made; all others stay where they are.
 *
 * Changes are read from the newest back, so that of each record only what it is now is decoded. Cost: what has changed.
 */
import { ByteReader, corrupt } from "../coders/byte-reader.ts";
import type { KeyedRecord, MapKey, RecordStore, WindowRecords } from "../host/records.ts";
import { type ChangeTarget, readChanges, type Snapshot } from "../host/snapshot.ts";
import { encodeToBytes } from "../coders/coder.ts";
import { file, readRecord } from "./record-chunks.ts";
import type { StageState } from "./stage-state.ts";

type Slot = WindowRecords<KeyedRecord>;

/** What a long record was extended by, the newest first, until what it extends is found. */
interface Extended {
  readonly key: unknown;
  readonly epoch: number;
  readonly added: Uint8Array[];
}

export function thawChanges({ stage, timers }: StageState, store: RecordStore<KeyedRecord>, snapshot: Snapshot): void {
  const { format } = store;
  const extended = new Map<Slot, Map<MapKey, Extended>>();
  const droppedWindows = new Set<string>();
  let epoch = 0;
  let lastBytes: Uint8Array = new Uint8Array(0);
  let lastSlot: Slot | undefined;

  /** Undefined where the window is gone, or was and has come again since. */
  const slotOf = (bytes: Uint8Array): Slot | undefined => {
    if (lastBytes.length === 0 || Buffer.compare(bytes, lastBytes) !== 0) {
      const window = format.windows.decode(new ByteReader(bytes));
      lastSlot = droppedWindows.has(window.id) ? undefined : store.find(window);
      lastBytes = bytes;
    }
    return lastSlot;
  };
  const keyOf = (bytes: Uint8Array): unknown => format.keys.coder.decode(new ByteReader(bytes));
  const isKnown = (slot: Slot, mapKey: MapKey): boolean =>
    slot.records.has(mapKey) || slot.removed?.has(mapKey) === true;

  const target: ChangeTarget = {
    put(window, keyBytes, body, times) {
      const slot = slotOf(window);
      if (slot === undefined) return;
      const key = keyOf(keyBytes);
      const mapKey = format.keys.toMapKey(key);
      if (isKnown(slot, mapKey)) return;
      const later = extended.get(slot)?.get(mapKey);
      extended.get(slot)?.delete(mapKey);
      const bodies = [body, ...(later?.added.toReversed() ?? [])];
      file(readRecord({ bodies, times }, key, mapKey, slot.window, format), store, timers, later?.epoch ?? epoch);
    },
    extend(window, keyBytes, body) {
      const slot = slotOf(window);
      if (slot === undefined) return;
      const key = keyOf(keyBytes);
      const mapKey = format.keys.toMapKey(key);
      if (isKnown(slot, mapKey)) return;
      let keys = extended.get(slot);
      if (keys === undefined) extended.set(slot, (keys = new Map()));
      const found = keys.get(mapKey);
      if (found === undefined) keys.set(mapKey, { key, epoch, added: [body] });
      else found.added.push(body);
    },
    remove(window, keyBytes) {
      const slot = slotOf(window);
      if (slot === undefined) return;
      const mapKey = format.keys.toMapKey(keyOf(keyBytes));
      if (!isKnown(slot, mapKey)) (slot.removed ??= new Map()).set(mapKey, epoch);
    },
    removeWindow(window) {
      droppedWindows.add(format.windows.decode(new ByteReader(window)).id);
      lastBytes = new Uint8Array(0);
    },
  };
  for (const changes of snapshot.changes(stage.name)) {
    epoch = changes.epoch;
    for (const chunk of changes.records) readChanges(chunk, target);
    for (const chunk of changes.gone) readChanges(chunk, target);
  }

  const rows = snapshot.rows(stage.name);
  for (const [slot, keys] of extended) {
    const window = encodeToBytes(format.windows, slot.window);
    for (const [mapKey, { key, epoch: last, added }] of keys) {
      const base = rows.get(window, encodeToBytes(format.keys.coder, key));
      if (base === undefined) throw corrupt("a record that is extended and is not there");
      const bodies = [...base.bodies, ...added.toReversed()];
      file(readRecord({ ...base, bodies }, key, mapKey, slot.window, format), store, timers, last);
    }
  }
}
