import type { User } from '../people/auth.ts'

/** What middleware leaves for handlers. */
export interface SignedIn {
  Variables: { user: User }
}

export type Role = 'owner' | 'operator' | 'agent' | 'analyst' | 'developer'
