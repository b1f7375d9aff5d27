// What a page of a plugin talks to Huitou with. Runs as it stands in the frame; types are beside it.
// <script type="module"> import { connect } from '/plugin-files/huitou-webview.js' </script>

/** @type {Promise<import('./huitou-webview.d.ts').WebviewApi> | undefined} */
let connected

/** Shakes hands with Huitou; asking again gives the same connection. */
export function connect() {
  connected ??= shakeHands()
  return connected
}

function shakeHands() {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error('Huitou did not answer; is this page open in a view?')),
      10_000,
    )
    addEventListener('message', function onMessage(event) {
      if (event.source !== parent || event.data?.huitou !== 'welcome') return
      removeEventListener('message', onMessage)
      clearTimeout(timer)
      resolve(createApi(event.ports[0], event.data.state))
    })
    parent.postMessage({ huitou: 'hello', version: 1 }, '*')
  })
}

function createApi(port, state) {
  const waiting = new Map()
  const listeners = new Set()
  let last = 0
  port.onmessage = ({ data }) => {
    if (data.type === 'answer') {
      const call = waiting.get(data.id)
      waiting.delete(data.id)
      if (data.error) call?.reject(Object.assign(new Error(data.error.message), data.error))
      else call?.resolve(data.result)
    }
    if (data.type === 'state') {
      state = data.state
      applyState(state)
      for (const listener of listeners) listener(state)
    }
  }
  const call = (method, parameters) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject })
      port.postMessage({ type: 'call', id: last, method, parameters })
    })
  const collection = (id) => ({
    find: (query = {}) => call('collections.find', { collection: id, ...query }),
    count: (query = {}) => call('collections.count', { collection: id, ...query }),
    get: (record) => call('collections.get', { collection: id, id: record }),
    insert: (data) => call('collections.insert', { collection: id, data }),
    update: (record, changes, options = {}) =>
      call('collections.update', { collection: id, id: record, changes, ...options }),
    delete: (record) => call('collections.delete', { collection: id, id: record }),
  })
  applyState(state)
  followHeight(port)
  return {
    get state() {
      return state
    },
    onDidChangeState(listener) {
      listeners.add(listener)
      return { dispose: () => void listeners.delete(listener) }
    },
    collections: new Proxy({}, { get: (_, id) => collection(String(id)) }),
    collection,
    call: (name, input) => call('view.call', { name, input }),
    commands: { execute: (id, input = {}) => call('commands.execute', { command: id, input }) },
    notify: (message, kind = 'info') => call('notify', { message, kind }),
    open: (target) => call('open', target),
  }
}

/** Language, theme and colours of Huitou, so that the page looks as if it belonged there. */
function applyState({ locale, theme, tokens }) {
  const root = document.documentElement
  root.lang = locale
  root.dataset.theme = theme
  root.style.colorScheme = theme
  for (const [name, value] of Object.entries(tokens)) root.style.setProperty(name, value)
}

function followHeight(port) {
  const tell = () =>
    port.postMessage({
      type: 'height',
      height: Math.ceil(document.documentElement.getBoundingClientRect().height),
    })
  new ResizeObserver(tell).observe(document.documentElement)
  tell()
}
