import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { sharedModulesPlugin } from './shared-modules.ts'

const server = process.env['HUITOU_URL'] ?? 'http://localhost:7070'

export default defineConfig({
  plugins: [vue(), sharedModulesPlugin()],
  define: {
    // vue-i18n: messages are compiled at run time without eval, so a strict content policy holds.
    __INTLIFY_JIT_COMPILATION__: true,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
    __VUE_OPTIONS_API__: true,
  },
  build: { target: 'es2023', chunkSizeWarningLimit: 900 },
  server: { proxy: { '/api': server, '/v1': server, '/hooks': server, '/plugin-files': server } },
})
