// Compiled, never run: the same package from a script.

import airwasm = require('@airssys/wasm')

export const open: Promise<airwasm.System> = airwasm.System.open()
export const denied = (error: unknown): boolean => error instanceof airwasm.AirwasmError && error.code === 'AIRWASM_DENIED'
