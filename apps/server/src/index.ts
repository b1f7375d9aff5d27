export { type Config, readConfig } from './config.ts'
export { type RunningServer, startServer } from './http/start-server.ts'
export { type Huitou, openHuitou } from './open-huitou.ts'
