/** A database that others are copies of: filled once, however many tests ask for it. */
export interface DatabaseTemplate {
  /** Letters only. */
  name: string
  /** Fills the empty database there, and leaves nothing of it open. */
  fill(where: { url: string } | { file: string }): Promise<void>
}
