// One line of a scenario, and how it is compared with what was got.

import { readFileSync } from 'node:fs'

const format = readFileSync(new URL('../../scenarios/README.md', import.meta.url), 'utf8')
/** The words of the format's description: a key that is none of them is unknown, whatever the operation. */
const KEYS = new Set(format.match(/(?<=`)\w+(?=`)/g))

export class Expectation extends Error {}

export function same(what, expected, got) {
  if (expected === undefined || Object.is(expected, got)) return
  throw new Expectation(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`)
}

/** A line; a key counts as read when it was looked at. */
export class Step {
  constructor(line, folder) {
    this.values = JSON.parse(line, (_, value) => (typeof value === 'string' ? value.replaceAll('$TMP', folder) : value))
    this.left = new Set(Object.keys(this.values))
    const unknown = [...this.left].filter((key) => !KEYS.has(key))
    if (unknown.length > 0) throw new Expectation(`unknown keys ${unknown}`)
  }

  get(key) {
    this.left.delete(key)
    return this.values[key]
  }

  need(key) {
    const value = this.get(key)
    if (value === undefined) throw new Expectation(`${key} is missing`)
    return value
  }

  /** Options, under their names in JavaScript; undefined is absent. */
  pick(keys) {
    return Object.fromEntries(keys.map((key) => [camel(key), this.get(key)]))
  }
}

export const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

/** Whether `text` has `expected` as a part, where there is any. */
export function part(what, expected, text) {
  if (expected !== undefined && !text.includes(expected)) same(what, expected, text)
}
