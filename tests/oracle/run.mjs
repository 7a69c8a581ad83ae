// Decides each simulation of the JSON list on standard input; writes the list of results to standard output.
// The argument is the folder whose node_modules holds the evaluator.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const { runUnsafeSimulation } = createRequire(join(process.argv[2], 'package.json'))('@cloud-copilot/iam-simulate')

const results = []
for (const simulation of JSON.parse(readFileSync(0, 'utf8'))) {
  try {
    results.push(await runUnsafeSimulation(simulation, {}))
  } catch (error) {
    results.push(`error: ${error.message}`)
  }
}
process.stdout.write(JSON.stringify(results))
