"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.Failure = exports.codes = exports.AirwasmError = void 0;
const native_1 = require("./native");
/** What every rejected promise of this package carries. Branch on `code`; `message` is for people. */
class AirwasmError extends Error {
    /** The stable name, such as `AIRWASM_DENIED`; all of them are in {@link codes}. */
    code;
    /** The number of the code, the same in every language. */
    number;
    /** Facts by name, as the error table says. */
    detail;
    constructor(parts, cause) {
        super(parts.message, cause);
        this.name = 'AirwasmError';
        this.code = `AIRWASM_${parts.name}`;
        this.number = parts.number;
        this.detail = parts.detail;
        if (parts.actor !== null)
            this.actor = parts.actor;
        const { policy_line, capability, which, allowed, used } = parts.detail;
        if (typeof policy_line === 'string')
            this.policyLine = policy_line;
        if (typeof capability === 'string')
            this.capability = capability;
        if (typeof which === 'string')
            this.which = which;
        if (typeof allowed === 'number')
            this.allowed = allowed;
        if (typeof used === 'number')
            this.used = used;
    }
    /** @internal */
    static of(text, signal) {
        const parts = JSON.parse(text);
        const cancelled = parts.name === 'CANCELLED' && signal?.aborted === true;
        const error = new AirwasmError(parts, cancelled ? { cause: signal.reason } : {});
        if (parts.name === 'CANCELLED')
            error.name = 'AbortError';
        return error;
    }
    /** @internal */
    static argument(which, why) {
        return AirwasmError.of(native_1.native.argumentError(which, why));
    }
}
exports.AirwasmError = AirwasmError;
/** Every error code with its number: `codes.AIRWASM_DENIED` is 30. */
exports.codes = Object.freeze(Object.fromEntries(native_1.native.codes().map(({ name, number }) => [`AIRWASM_${name}`, number])));
/**
 * The answer of a handler that refuses: thrown by it, the caller gets `AIRWASM_FAILURE` with both texts, and the
 * actor lives on. Anything else that a handler throws is a crash of its actor.
 */
class Failure extends Error {
    /** What a program branches on, such as `not-found`; each actor names its own. */
    code;
    /** `text` is what a person reads. */
    constructor(code, text) {
        super(text);
        this.name = 'Failure';
        this.code = code;
    }
}
exports.Failure = Failure;
