import type * as Native from '../native'
import type { Event } from './data'
import { outcome } from './runtime'

/** A stream of events; its end is `return`, or the end of its system. */
export class Events implements AsyncIterableIterator<Event> {
  readonly #system: object
  readonly #open: () => Native.NativeEvents
  #stream: Native.NativeEvents | undefined
  #ended = false

  constructor(system: object, open: () => Native.NativeEvents) {
    this.#system = system
    this.#open = open
    // The stream starts here. An error is told by `next`: nothing in this package throws but through a promise.
    try {
      this.#stream = open()
    } catch {
      this.#stream = undefined
    }
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#ended) return { done: true, value: undefined }
    this.#stream ??= this.#open()
    const event = await outcome(this.#system, this.#stream.next(), eventOf)
    if (event !== undefined) return { done: false, value: event }
    this.#ended = true
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    this.#ended = true
    this.#stream?.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

function eventOf(event: Native.EventAnswer | null): Event | undefined {
  if (event === null) return undefined
  const { seq, timeUnixMs, kind, actor, detail } = event
  const shown = { seq, time: new Date(timeUnixMs), kind, detail: JSON.parse(detail) as Record<string, unknown> }
  return actor === undefined ? shown : { ...shown, actor }
}
