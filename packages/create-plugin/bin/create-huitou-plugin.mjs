#!/usr/bin/env node
import { runCreate } from '../src/command.mjs'

process.exitCode = await runCreate(process.argv.slice(2))
