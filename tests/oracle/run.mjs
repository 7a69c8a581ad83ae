// Decides batches of simulations: each line of standard input is a JSON list of them, each line of standard output the
// list of their results. The argument is the folder whose node_modules holds the evaluator.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const { runUnsafeSimulation } = createRequire(join(process.argv[2], 'package.json'))('@cloud-copilot/iam-simulate')

for await (const line of createInterface({ input: process.stdin })) {
  const results = []
  for (const simulation of JSON.parse(line)) {
    try {
      results.push(await runUnsafeSimulation(simulation, {}))
    } catch (error) {
      results.push(`error: ${error.message}`)
    }
  }
  process.stdout.write(`${JSON.stringify(results)}\n`)
}
