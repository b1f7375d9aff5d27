import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { userError } from '@huitou/plugin-api'
import {
  parsePublisherKey,
  parseSigningKey,
  type PublisherKey,
  type SigningKey,
  type TrustedKey,
} from '@huitou/plugin-host/install'

/** Where keys lie unless somebody says otherwise: far from what is packed. */
export function keyFolder(): string {
  return path.join(homedir(), '.huitou', 'keys')
}

/** Writes both halves of a key. A key that is there already is not written over: it could not be had again. */
export async function writeKeyFiles(
  folder: string,
  { privateKey, succeeds, algorithm, ...half }: SigningKey,
): Promise<{ privateFile: string; publicFile: string }> {
  const privateFile = path.join(folder, `${half.publisher}.key.json`)
  const publicFile = path.join(folder, `${half.publisher}.pub.json`)
  const whole = { ...half, algorithm, privateKey, ...(succeeds && { succeeds }) }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    await writeFile(privateFile, `${JSON.stringify(whole, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    throw userError('E_KEY_EXISTS', `${privateFile} is there already`, {
      hint: 'Move it away first, or name another folder with --out. Keep it: what it signed needs its successor.',
      cause,
    })
  }
  await writeFile(publicFile, `${JSON.stringify(half, null, 2)}\n`)
  return { privateFile, publicFile }
}

/** The private key in `file`, or that of `publisher` where keys lie. */
export async function readSigningKey(file: string | undefined, publisher?: string): Promise<SigningKey> {
  if (file === undefined && publisher === undefined) {
    throw userError('E_KEY', 'Name the key: --key FILE', {
      hint: 'huitou plugin keygen PUBLISHER makes one.',
    })
  }
  return parseSigningKey(await readJson(file ?? path.join(keyFolder(), `${publisher}.key.json`)))
}

export async function readPublisherKey(file: string): Promise<PublisherKey> {
  return parsePublisherKey(await readJson(file))
}

/** The public keys in `files`, joined by commas, as a trust list. */
export async function readTrustList(files: string | undefined): Promise<TrustedKey[]> {
  const names = (files ?? '').split(',').filter(Boolean)
  return Promise.all(names.map(async (name) => ({ ...(await readPublisherKey(name)), addedAt: 0 })))
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw noKey(file, cause.message)
  })
  try {
    return JSON.parse(text)
  } catch {
    // What the parser says quotes the file, and the file is a secret.
    throw noKey(file, 'it is not JSON')
  }
}

function noKey(file: string, reason: string): Error {
  return userError('E_KEY', `There is no key in ${file}: ${reason}`, {
    hint: 'huitou plugin keygen PUBLISHER makes one; --key names another file.',
  })
}
