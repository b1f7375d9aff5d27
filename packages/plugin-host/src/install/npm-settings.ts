// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- whoever compiles this file needs these types
/// <reference path="./npm-modules.d.ts" />
import { userError } from '@huitou/plugin-api'
import { masked } from './http-get.ts'

/** Where an npm registry is and how to show that one may use it. */
export interface NpmSettings {
  /** Ends in `/`. */
  url: URL
  /** Never an answer for another host, or over http when the registry is on https. */
  authorize(url: URL): string | undefined
}

export interface NpmSettingsSource {
  /** Instead of what the npm configuration names. */
  url?: string | undefined
  token?: string | undefined
  /** `@acme`: the registry that the npm configuration names for this scope. */
  scope?: string | undefined
  /** Folder whose `.npmrc` counts as the project's. */
  cwd?: string
  env?: NodeJS.ProcessEnv
}

/**
 * Settings as given, the rest from the owner's npm configuration: `npm_config_…` in the environment, `.npmrc` of the
 * folder, of the person and of the machine, as npm itself reads them.
 */
export async function readNpmSettings(source: NpmSettingsSource): Promise<NpmSettings> {
  const config = await loadNpmConfig(source)
  const named =
    source.url ??
    stringOf(source.scope && config.get(`${source.scope}:registry`)) ??
    stringOf(config.get('registry'))
  const url = parseBase(named)
  const own = basicOf(url)
  url.username = ''
  url.password = ''
  return {
    url,
    authorize(target) {
      if (url.protocol === 'https:' && target.protocol !== 'https:') return undefined
      const isOwn = target.origin === url.origin && target.pathname.startsWith(url.pathname)
      if (isOwn && source.token !== undefined) return `Bearer ${source.token}`
      if (isOwn && own !== undefined) return own
      return foldersOf(target)
        .map((folder) => config.getCredentialsByURI(folder))
        .map(({ token, auth }) => (token ? `Bearer ${token}` : auth ? `Basic ${auth}` : undefined))
        .find((authorization) => authorization !== undefined)
    },
  }
}

async function loadNpmConfig({ cwd = process.cwd(), env = process.env }: NpmSettingsSource) {
  const [{ default: Config }, { default: npm }] = await Promise.all([
    import('@npmcli/config'),
    import('@npmcli/config/lib/definitions/index.js'),
  ])
  const config = new Config({
    ...npm,
    // There is no npm here that would bring a configuration of its own.
    npmPath: import.meta.dirname,
    argv: [],
    // It writes what it found into the environment it is given.
    env: { ...env },
    cwd,
    warn: false,
  })
  try {
    await config.load()
  } catch (cause) {
    throw userError(
      'E_REGISTRY_SETTING',
      `Your npm configuration cannot be read: ${(cause as Error).message}`,
      {
        hint: 'npm config list says where it is; or name the registry in the settings.',
        cause,
      },
    )
  }
  return config
}

function parseBase(text: string | undefined): URL {
  const url = text === undefined ? null : URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw userError(
      'E_REGISTRY_SETTING',
      text === undefined ? 'No npm registry is named' : `"${masked(text)}" is no address of a registry`,
      {
        hint: 'Name it in the settings or with npm config set registry, as https://….',
      },
    )
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  url.search = ''
  url.hash = ''
  return url
}

/** An address and every folder above it, nearest first: `.npmrc` names the folder that a token is for. */
function foldersOf({ origin, pathname }: URL): string[] {
  const parts = pathname.split('/').slice(1, -1)
  return [...parts.keys(), parts.length].reverse().map(
    (length) =>
      `${origin}/${parts
        .slice(0, length)
        .map((part) => `${part}/`)
        .join('')}`,
  )
}

function basicOf({ username, password }: URL): string | undefined {
  if (username === '') return undefined
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
