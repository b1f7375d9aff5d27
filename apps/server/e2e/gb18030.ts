const codes = new Map<string, [number, number]>()
const decoder = new TextDecoder('gb18030')
for (let lead = 0x81; lead <= 0xfe; lead++) {
  for (let trail = 0x40; trail <= 0xfe; trail++) {
    const character = decoder.decode(Uint8Array.of(lead, trail))
    if (character.length === 1 && character !== '\uFFFD') codes.set(character, [lead, trail])
  }
}

/** Text as Chinese spreadsheets save it. Characters outside the two-byte part of GB18030 are refused. */
export function toGb18030(text: string): Buffer {
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0) as number
    const pair = code < 0x80 ? [code] : codes.get(character)
    if (!pair) throw new Error(`${character} takes four bytes in GB18030`)
    bytes.push(...pair)
  }
  return Buffer.from(bytes)
}
