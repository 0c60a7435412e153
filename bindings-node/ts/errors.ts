import { native } from './native'

/** What every rejected promise of this package carries. Branch on `code`; `message` is for people. */
export class AirwasmError extends Error {
  /** The stable name, such as `AIRWASM_DENIED`; all of them are in {@link codes}. */
  readonly code: string
  /** The number of the code, the same in every language. */
  readonly number: number
  /** The three-part id of the actor concerned, if there is one. */
  declare readonly actor?: string
  /** Facts by name, as the error table says. */
  readonly detail: Readonly<Record<string, unknown>>
  /** The line that a policy or a grant needs to allow what was denied; empty where no line could, for a rule denies it. */
  declare readonly policyLine?: string
  /** The capability that was asked for and denied. */
  declare readonly capability?: string
  /** What in the policy denies it: a rule, as in `policy.yaml:13 fs.read /srv/private/**`, or `sealed`. */
  declare readonly rule?: string
  /** Which argument, limit or budget it is about. */
  declare readonly which?: string
  /** How much of `which` was allowed. */
  declare readonly allowed?: number
  /** How much of `which` was used. */
  declare readonly used?: number

  private constructor(parts: ErrorParts, cause: { cause?: unknown }) {
    super(parts.message, cause)
    this.name = 'AirwasmError'
    this.code = `AIRWASM_${parts.name}`
    this.number = parts.number
    this.detail = parts.detail
    if (parts.actor !== null) this.actor = parts.actor
    const { policy_line, capability, rule, which, allowed, used } = parts.detail
    if (typeof policy_line === 'string') this.policyLine = policy_line
    if (typeof capability === 'string') this.capability = capability
    if (typeof rule === 'string') this.rule = rule
    if (typeof which === 'string') this.which = which
    if (typeof allowed === 'number') this.allowed = allowed
    if (typeof used === 'number') this.used = used
  }

  /** @internal */
  static of(text: string, signal?: AbortSignal): AirwasmError {
    const parts = JSON.parse(text) as ErrorParts
    const cancelled = parts.name === 'CANCELLED' && signal?.aborted === true
    const error = new AirwasmError(parts, cancelled ? { cause: signal.reason } : {})
    if (parts.name === 'CANCELLED') error.name = 'AbortError'
    return error
  }

  /** @internal */
  static argument(which: string, why: string): AirwasmError {
    return AirwasmError.of(native.argumentError(which, why))
  }
}

/** @internal */
interface ErrorParts {
  name: string
  number: number
  message: string
  actor: string | null
  detail: Record<string, unknown>
}

/** Every error code with its number: `codes.AIRWASM_DENIED` is 30. */
export const codes: Readonly<Record<string, number>> = Object.freeze(
  Object.fromEntries(native.codes().map(({ name, number }) => [`AIRWASM_${name}`, number])),
)

/**
 * The answer of a handler that refuses: thrown by it, the caller gets `AIRWASM_FAILURE` with both texts, and the
 * actor lives on. Anything else that a handler throws is a crash of its actor.
 */
export class Failure extends Error {
  /** What a program branches on, such as `not-found`; each actor names its own. */
  readonly code: string

  /** `text` is what a person reads. */
  constructor(code: string, text: string) {
    super(text)
    this.name = 'Failure'
    this.code = code
  }
}
