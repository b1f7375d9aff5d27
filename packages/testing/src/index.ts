export * from './fake-clock.ts'
export * from './test-core.ts'
