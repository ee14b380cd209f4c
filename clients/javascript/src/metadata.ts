/** The metadata of an ONNX file, which onnxruntime does not give in JavaScript. */

/**
 * The entries of the metadata by their keys.
 *
 * Protobuf: field 14 of ModelProto holds entries, each with a key in field 1 and a value in field 2.
 * A file that cannot be read has no metadata.
 */
export function metadata(content: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  for (const [field, bytes] of fields(content)) {
    if (field !== 14) continue;
    const entry = new Map(fields(bytes));
    const text = (part: number) => new TextDecoder().decode(entry.get(part));
    found.set(text(1), text(2));
  }
  return found;
}

/** The fields of a protobuf message that hold bytes, text or messages. */
function* fields(content: Uint8Array): Generator<[number, Uint8Array]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = content[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < content.length) {
    const tag = varint();
    const kind = tag % 8;
    if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      const length = varint();
      yield [Math.floor(tag / 8), content.subarray(at, at + length)];
      at += length;
    } else return;
  }
}
