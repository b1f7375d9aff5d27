/**
 * Asks for what the arguments leave open, unless nobody is there to answer, and writes the plugin. Returns the exit
 * code.
 */
export function runCreate(
  argv: string[],
  streams?: {
    input: NodeJS.ReadableStream & { isTTY?: boolean }
    output: NodeJS.WritableStream
    error: NodeJS.WritableStream
  },
): Promise<number>
