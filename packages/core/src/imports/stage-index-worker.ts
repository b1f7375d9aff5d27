import { workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import { prepareStage, STAGE_INDEX } from './stage-file.ts'

// Sorting millions of rows is one long call into SQLite, which would keep every request waiting.
const database = new Sqlite((workerData as { file: string }).file)
prepareStage(database)
database.exec(STAGE_INDEX)
database.close()
