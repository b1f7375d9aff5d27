export const texts = {
  greeting: {
    en: 'Dear {name}, good to see you again!',
    'zh-CN': '{name}，您好，很高兴再次见到您！',
  },
  copy: { en: 'Copy', 'zh-CN': '复制' },
  copied: { en: 'Copied', 'zh-CN': '已复制' },
  nobody: { en: 'Nobody was here yet.', 'zh-CN': '还没有客户来过。' },
}
