// The handles behind objects. Only the class of an object sees its handle, and only with its own system.

import { AirwasmError } from './errors'
import { native } from './native'

/** The handle of an object of this system: handles of two systems look alike. */
export function ownHandle(
  what: string,
  which: string,
  system: object,
  owner: object | undefined,
  handle: bigint | undefined,
): bigint {
  if (handle === undefined) throw AirwasmError.argument(which, `the object that a call returned is needed`)
  if (owner !== system) throw AirwasmError.of(native.foreignError(what))
  return handle
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
