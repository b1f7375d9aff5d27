/** The parts of npm's own modules that we call; they come without types. */
declare module 'npm-packlist' {
  interface PackageTree {
    path: string
    package: object
    isProjectRoot: boolean
    edgesOut: ReadonlyMap<string, unknown>
  }
  export default function packlist(tree: PackageTree): Promise<string[]>
}

declare module '@npmcli/config' {
  interface ConfigOptions {
    npmPath: string
    definitions: object
    shorthands: object
    flatten: unknown
    nerfDarts: string[]
    argv: string[]
    env: Record<string, string | undefined>
    cwd: string
    warn: boolean
  }
  interface Credentials {
    token?: string
    /** `user:password`, base64. */
    auth?: string
  }
  export default class Config {
    constructor(options: ConfigOptions)
    load(): Promise<void>
    get(key: string): unknown
    getCredentialsByURI(uri: string): Credentials
  }
}

declare module '@npmcli/config/lib/definitions/index.js' {
  const definitions: {
    definitions: object
    shorthands: object
    flatten: unknown
    nerfDarts: string[]
  }
  export default definitions
}
