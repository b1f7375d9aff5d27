import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A wire between a node and the database that can be cut without either of them being told. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** Nothing passes any more, in either direction, and nobody hangs up. */
  cut(): void
  /** What is new passes again; what was open stays lost. */
  mend(): void
  /** Ends all connections; new ones go to another port. */
  retarget(port: number): void
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>()
  let [port, isCut] = [target, false]
  const server = createServer((near) => {
    near.on('error', () => {})
    if (isCut) {
      const far = near
      pairs.add([near, far])
      return void near.pause()
    }
    const far = connect(port, '127.0.0.1')
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    near.pipe(far)
    far.pipe(near)
    const end = () => {
      // A wire that is cut carries no word of an end either.
      if (isCut) return
      near.destroy()
      far.destroy()
      pairs.delete(pair)
    }
    for (const socket of pair) socket.on('error', end).on('close', end)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = () => {
    const dropped = [...pairs]
    pairs.clear()
    for (const pair of dropped) for (const socket of pair) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true
      for (const [near, far] of pairs) {
        near.unpipe(far)
        far.unpipe(near)
        near.pause()
        far.pause()
      }
    },
    mend() {
      isCut = false
    },
    retarget(next) {
      port = next
      drop()
    },
    async [Symbol.asyncDispose]() {
      drop()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
