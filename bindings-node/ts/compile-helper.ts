// Compiles one component for a system with `compileHelper: true`, which runs this module in a process of its own.

import { native } from './native'

const fault = native.compileHelper()
if (typeof fault === 'string') {
  process.stderr.write(`compile-helper: ${fault}\n`)
  process.exitCode = 1
}
