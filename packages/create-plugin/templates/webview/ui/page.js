import { connect } from '/plugin-files/huitou-webview.js'

const texts = {
  en: { customers: 'Customers', orders: 'Orders' },
  'zh-CN': { customers: '客户数', orders: '订单数' },
}

const huitou = await connect()

function write({ locale }) {
  document.documentElement.lang = locale
  for (const element of document.querySelectorAll('[data-text]')) {
    element.textContent = texts[locale][element.dataset.text]
  }
}

async function show() {
  const problem = document.getElementById('problem')
  try {
    // The plugin's code works them out; this page has no access to the shop's data.
    const figures = await huitou.call('figures')
    for (const [name, figure] of Object.entries(figures)) {
      document.getElementById(name).textContent = figure.toLocaleString(huitou.state.locale)
    }
    problem.hidden = true
  } catch (error) {
    problem.textContent = error.message
    problem.hidden = false
  }
}

write(huitou.state)
huitou.onDidChangeState(write)
await show()
