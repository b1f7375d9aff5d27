/** A number as `+8613800000000`; undefined for what is no mobile number of China and no other number with `+`. */
export function toE164(address: string): string | undefined {
  const digits = address.replace(/[\s()-]/g, '')
  const chinese = /^(?:\+86|0086|86)?(1[3-9]\d{9})$/.exec(digits)?.[1]
  if (chinese) return `+86${chinese}`
  return /^\+(?!86)[1-9]\d{7,14}$/.test(digits) ? digits : undefined
}

export function isChinese(phone: string): boolean {
  return phone.startsWith('+86')
}
