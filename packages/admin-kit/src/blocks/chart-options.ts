import type { SankeyData, SeriesData } from '@huitou/plugin-api'
import type { EChartsCoreOption } from 'echarts/core'
import { isComparison } from './block-context.ts'
import type { Format } from './figures.ts'

/** Colours of the current theme, as the canvas needs them: resolved. */
export interface ChartTokens {
  series: readonly string[]
  rest: string
  grid: string
  axis: string
  band: string
  page: string
  raised: string
  text1: string
  text2: string
  font: string
  /** Any other token by name, for instance `chart-3`. */
  color(name: string): string
}

/** Reads the tokens from the page. Call again when the theme changes. */
export function readChartTokens(root: Element = document.documentElement): ChartTokens {
  const style = getComputedStyle(root)
  const color = (name: string) => style.getPropertyValue(`--${name.replace(/^--/, '')}`).trim()
  return {
    series: Array.from({ length: 8 }, (_, at) => color(`chart-${at + 1}`)),
    rest: color('chart-rest'),
    grid: color('chart-grid'),
    axis: color('chart-axis'),
    band: color('chart-band'),
    page: color('surface-page'),
    raised: color('surface-raised'),
    text1: color('text-1'),
    text2: color('text-2'),
    font: color('font-sans'),
    color,
  }
}

/** Lines with their names at the end instead of a legend; bars and areas start at zero. */
export function seriesOption(data: SeriesData, format: Format, tokens: ChartTokens): EChartsCoreOption {
  const isBar = data.kind === 'bar'
  let place = -1
  const series = data.series.map((one) => {
    const isRest = isComparison(one)
    if (!isRest) place += 1
    const color =
      one.color && !isRest ? tokens.color(one.color) : isRest ? tokens.rest : tokens.series[place % 8]!
    const shared = { id: one.id, name: one.title, data: one.values, itemStyle: { color }, z: isRest ? 1 : 2 }
    if (isBar)
      return { ...shared, type: 'bar', barMaxWidth: 28, barGap: '10%', itemStyle: { color, borderRadius: 2 } }
    return {
      ...shared,
      type: 'line',
      lineStyle: { color, width: 1.5, type: isRest ? 'dashed' : 'solid' },
      symbol: 'circle',
      symbolSize: 6,
      showSymbol: one.values.filter((value) => value !== null).length === 1,
      connectNulls: false,
      endLabel: {
        show: true,
        formatter: '{a}',
        color: isRest ? tokens.axis : tokens.text1,
        fontSize: 12,
        distance: 6,
      },
      labelLayout: { moveOverlap: 'shiftY' },
      emphasis: { disabled: true },
    }
  })
  return {
    ...frame(tokens, format, data.type),
    grid: {
      left: 0,
      right: isBar ? 0 : endLabelSpace(data),
      top: 12,
      bottom: 0,
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    xAxis: {
      type: 'category',
      data: data.categories,
      boundaryGap: isBar,
      axisLine: { show: isBar, lineStyle: { color: tokens.grid } },
      axisTick: { show: false },
      axisLabel: {
        color: tokens.axis,
        fontSize: 12,
        hideOverlap: true,
        alignMinLabel: 'left',
        alignMaxLabel: 'right',
        formatter: (label: string) => (data.axis === 'time' ? shortDate(label, data.categories) : label),
      },
    },
    yAxis: {
      type: 'value',
      scale: !isBar,
      splitNumber: 3,
      axisLabel: {
        color: tokens.axis,
        fontSize: 12,
        formatter: (value: number) => format.value(value, data.type, { compact: true }),
      },
      splitLine: { lineStyle: { color: tokens.grid } },
    },
    series,
  }
}

/** Flow from left to right, coloured by where it comes from. */
export function sankeyOption(data: SankeyData, format: Format, tokens: ChartTokens): EChartsCoreOption {
  return {
    ...frame(tokens, format, 'integer'),
    tooltip: {
      ...tooltip(tokens),
      trigger: 'item',
      valueFormatter: (value: unknown) => format.value(value, 'integer'),
    },
    series: [
      {
        type: 'sankey',
        left: 0,
        right: 112,
        top: 8,
        bottom: 8,
        nodeWidth: 12,
        nodeGap: 12,
        draggable: false,
        emphasis: { focus: 'adjacency' },
        label: { color: tokens.text1, fontSize: 12, fontFamily: tokens.font },
        lineStyle: { color: 'source', opacity: 0.24, curveness: 0.5 },
        data: data.nodes.map((node, at) => ({
          name: node.id,
          itemStyle: { color: node.color ? tokens.color(node.color) : tokens.series[at % 8], borderWidth: 0 },
          label: { formatter: node.title },
        })),
        links: data.links,
      },
    ],
  }
}

/** `2026-11-20` as `11-20`; keeps the year when the axis spans more than one. */
export function shortDate(label: string, categories: readonly string[]): string {
  if (!/^\d{4}-\d{2}/.test(label)) return label
  const years = new Set([categories[0]?.slice(0, 4), categories.at(-1)?.slice(0, 4)])
  return years.size > 1 || label.length === 7 ? label : label.slice(5)
}

function frame(tokens: ChartTokens, format: Format, type: SeriesData['type']): EChartsCoreOption {
  return {
    animation: false,
    textStyle: { fontFamily: tokens.font, fontSize: 12, color: tokens.text2 },
    backgroundColor: 'transparent',
    tooltip: {
      ...tooltip(tokens),
      trigger: 'axis',
      axisPointer: { type: 'line', lineStyle: { color: tokens.axis, width: 1, type: 'solid' } },
      valueFormatter: (value: unknown) => format.value(value, type),
    },
  }
}

function tooltip(tokens: ChartTokens) {
  return {
    backgroundColor: tokens.raised,
    borderColor: tokens.grid,
    borderWidth: 1,
    padding: [6, 10],
    textStyle: { color: tokens.text2, fontSize: 12, fontFamily: tokens.font },
    extraCssText: 'box-shadow: var(--shadow-menu); font-variant-numeric: tabular-nums;',
    confine: true,
  }
}

/** Room for the longest name at a line's end: twelve pixels a Chinese character, seven a Latin one. */
function endLabelSpace(data: SeriesData): number {
  const widthOf = (text: string) =>
    [...text].reduce((sum, c) => sum + (c.codePointAt(0)! > 0x2e7f ? 12 : 7), 0)
  return Math.min(140, Math.max(0, ...data.series.map((series) => widthOf(series.title))) + 16)
}
