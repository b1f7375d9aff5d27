import type { GlobalThemeOverrides } from 'naive-ui'

/** Value of a design token as the browser resolves it now; follows `var()` of other tokens. */
export function token(name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const value = getComputedStyle(probe).color
  probe.remove()
  return value
}

const size = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** Naive UI in the colours and sizes of the current theme. Build it again when the theme changes. */
export function naiveTheme(): GlobalThemeOverrides {
  const accent = token('--accent')
  const line = token('--line-control')
  const raised = token('--surface-raised')
  const text1 = token('--text-1')
  const text3 = token('--text-3')
  const hover = token('--surface-hover')
  const selected = token('--surface-selected')
  return {
    common: {
      primaryColor: accent,
      primaryColorHover: token('--accent-hover'),
      primaryColorPressed: token('--accent-hover'),
      primaryColorSuppl: accent,
      errorColor: token('--danger'),
      warningColor: token('--warning'),
      successColor: token('--success'),
      infoColor: accent,
      bodyColor: token('--surface-page'),
      cardColor: raised,
      modalColor: raised,
      popoverColor: raised,
      tableColor: token('--surface-page'),
      inputColor: token('--surface-page'),
      inputColorDisabled: token('--surface-sunken'),
      actionColor: token('--surface-sunken'),
      hoverColor: hover,
      borderColor: line,
      dividerColor: token('--line'),
      textColorBase: text1,
      textColor1: text1,
      textColor2: text1,
      textColor3: text3,
      textColorDisabled: token('--text-disabled'),
      placeholderColor: text3,
      iconColor: text3,
      fontFamily: size('--font-sans'),
      fontSize: size('--text-13'),
      fontSizeSmall: size('--text-13'),
      fontSizeMedium: size('--text-13'),
      heightSmall: size('--control-height'),
      heightMedium: size('--control-height-lg'),
      heightTiny: size('--control-height-sm'),
      borderRadius: size('--radius-md'),
      borderRadiusSmall: size('--radius-sm'),
    },
    InternalSelectMenu: {
      optionColorPending: hover,
      optionColorActive: selected,
      optionColorActivePending: selected,
      optionTextColorActive: token('--accent-text'),
      groupHeaderTextColor: text3,
    },
    InternalSelection: { border: `1px solid ${line}`, borderHover: `1px solid ${line}`, caretColor: accent },
    Input: { border: `1px solid ${line}`, borderHover: `1px solid ${line}` },
  }
}
