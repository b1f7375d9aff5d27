/** Roles from the one that may everything to those that may little. */
export const roles = ['owner', 'operator', 'agent', 'analyst', 'developer'] as const
