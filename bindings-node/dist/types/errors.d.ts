/** What every rejected promise of this package carries. Branch on `code`; `message` is for people. */
export declare class AirwasmError extends Error {
    /** The stable name, such as `AIRWASM_DENIED`; all of them are in {@link codes}. */
    readonly code: string;
    /** The number of the code, the same in every language. */
    readonly number: number;
    /** The three-part id of the actor concerned, if there is one. */
    readonly actor?: string;
    /** Facts by name, as the error table says. */
    readonly detail: Readonly<Record<string, unknown>>;
    /** The line that a policy or a grant needs to allow what was denied. */
    readonly policyLine?: string;
    /** The capability that was asked for and denied. */
    readonly capability?: string;
    /** Which argument, limit or budget it is about. */
    readonly which?: string;
    /** How much of `which` was allowed. */
    readonly allowed?: number;
    /** How much of `which` was used. */
    readonly used?: number;
    private constructor();
}
/** Every error code with its number: `codes.AIRWASM_DENIED` is 30. */
export declare const codes: Readonly<Record<string, number>>;
/**
 * The answer of a handler that refuses: thrown by it, the caller gets `AIRWASM_FAILURE` with both texts, and the
 * actor lives on. Anything else that a handler throws is a crash of its actor.
 */
export declare class Failure extends Error {
    /** What a program branches on, such as `not-found`; each actor names its own. */
    readonly code: string;
    /** `text` is what a person reads. */
    constructor(code: string, text: string);
}
