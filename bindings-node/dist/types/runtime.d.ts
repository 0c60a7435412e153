import type { Message } from './data';
type AnyHandler = (message: Message) => unknown;
export declare const host: import("../native").Host;
/** The promise of an operation that is over or has a ticket; `convert` makes the value that the caller sees. */
export declare function outcome<A, T>(owner: object, answer: A | number | string, convert: (value: A) => T, signal?: AbortSignal): Promise<T>;
/** The value of an operation that never waits; throws its error. */
export declare function value<A>(answer: A | string): A;
/** Throws if the signal was aborted before its call begins. */
export declare function checkSignal(signal: AbortSignal | undefined): void;
/** Takes a handler in; `spawn` is given its number. The handler stays until its actor has ended for good. */
export declare function withHandler<A>(owner: object, handler: AnyHandler, spawn: (number: number) => A | string): A;
export {};
