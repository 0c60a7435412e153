import type * as Native from '../native'
import type { Explanation } from './data'

/** An explanation that prints as its text. */
export class Explained implements Explanation {
  readonly allowed: boolean
  readonly text: string
  declare readonly rule?: string
  declare readonly beaten?: string
  declare readonly policyLine?: string

  constructor({ allowed, text, rule, beaten, policyLine }: Native.ExplanationAnswer) {
    this.allowed = allowed
    this.text = text
    if (rule !== undefined) this.rule = rule
    if (beaten !== undefined) this.beaten = beaten
    if (policyLine !== undefined) this.policyLine = policyLine
  }

  toString(): string {
    return this.text
  }
}
