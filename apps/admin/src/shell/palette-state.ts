import { ref } from 'vue'

/** Whether the palette is open, and what stands in it at first. */
export const paletteOpen = ref(false)
export const paletteText = ref('')
export const keyListOpen = ref(false)

export function openPalette(text = ''): void {
  paletteText.value = text
  paletteOpen.value = true
}
