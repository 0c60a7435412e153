"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.spawnOptions = exports.grantOptions = exports.deadlineOptions = exports.requestOptions = exports.sendOptions = exports.abortOptions = exports.openOptions = exports.capability = exports.signal = exports.payload = exports.bytes = exports.path = exports.amount = exports.text = exports.UNLIMITED = void 0;
const node_util_1 = require("node:util");
const node_url_1 = require("node:url");
const errors_1 = require("./errors");
/** No bound at all, for every field of {@link Limits} and {@link Budget}, and for every wait. */
exports.UNLIMITED = Infinity;
/** @internal */
function refuse(which, needed, value) {
    const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
    throw errors_1.AirwasmError.argument(which, `${needed} is needed, not ${got}`);
}
/** @internal */
const text = (value, which) => (typeof value === 'string' ? value : refuse(which, 'a string', value));
exports.text = text;
/** A number of 0 or more, which may be `Infinity`. @internal */
const amount = (value, which) => {
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number')
        return refuse(which, 'a number', value);
    if (!(number >= 0))
        throw errors_1.AirwasmError.argument(which, `${number} is not a number of 0 or more`);
    return number;
};
exports.amount = amount;
/** A whole number of 0 or more, or `Infinity`. @internal */
const count = (value, which) => {
    const number = (0, exports.amount)(value, which);
    if (number !== Infinity && !Number.isInteger(number))
        throw errors_1.AirwasmError.argument(which, `${number} is not a whole number`);
    return number;
};
/** @internal */
const path = (value, which) => {
    if (!(value instanceof URL))
        return typeof value === 'string' ? value : refuse(which, 'a string or a file URL', value);
    try {
        return (0, node_url_1.fileURLToPath)(value);
    }
    catch (error) {
        throw errors_1.AirwasmError.argument(which, error.message);
    }
};
exports.path = path;
/** @internal */
const bytes = (value, which) => node_util_1.types.isUint8Array(value) ? value : refuse(which, 'a Uint8Array', value);
exports.bytes = bytes;
/** @internal */
const payload = (value, which) => {
    if (typeof value === 'string')
        return Buffer.from(value);
    return node_util_1.types.isUint8Array(value) ? value : refuse(which, 'a string or a Uint8Array', value);
};
exports.payload = payload;
/** @internal */
const signal = (value, which) => typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value
    ? value
    : refuse(which, 'an AbortSignal', value);
exports.signal = signal;
/** @internal */
const json = (value, which) => {
    let written;
    try {
        written = JSON.stringify(value);
    }
    catch (error) {
        throw errors_1.AirwasmError.argument(which, error.message);
    }
    return written ?? refuse(which, 'a value that JSON can hold', value);
};
/** @internal */
const capability = (value, which) => {
    if (typeof value === 'string')
        return value;
    return typeof value === 'object' && value !== null ? json(value, which) : refuse(which, 'a string or an object', value);
};
exports.capability = capability;
/** @internal */
const capabilities = (value, which) => Array.isArray(value)
    ? value.map((item, index) => (0, exports.capability)(item, `${which}[${index}]`))
    : refuse(which, 'an array of capabilities', value);
/**
 * Reads an object of options: each field by its reader, absent where it is undefined. A field that nobody reads is
 * refused, so that a misspelt limit is never silently none.
 * @internal
 */
function record(readers) {
    return (value, which) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value))
            return refuse(which, 'an object', value);
        const read = {};
        for (const [key, field] of Object.entries(value)) {
            const name = which === 'options' ? key : `${which}.${key}`;
            if (!Object.hasOwn(readers, key))
                throw errors_1.AirwasmError.argument(name, `there is no such option`);
            if (field !== undefined)
                read[key] = readers[key](field, name);
        }
        return read;
    };
}
/** The options of a call; a call without any has none of them. @internal */
function options(readers) {
    const read = record(readers);
    return (value) => (value === undefined ? {} : read(value, 'options'));
}
/** @internal */
exports.openOptions = options({ policy: exports.path, audit: exports.path, cacheDir: exports.path, profile: exports.text });
/** @internal */
exports.abortOptions = options({ signal: exports.signal });
/** @internal */
exports.sendOptions = options({ contentType: exports.text });
/** @internal */
exports.requestOptions = options({
    contentType: exports.text,
    timeoutMs: exports.amount,
    signal: exports.signal,
});
/** @internal */
exports.deadlineOptions = options({ deadlineMs: exports.amount });
/** @internal */
exports.grantOptions = options({ ttlMs: exports.amount });
/** @internal */
exports.spawnOptions = options({
    name: exports.text,
    grants: capabilities,
    limits: record({
        memoryBytes: count,
        tableElements: count,
        handles: count,
        mailboxMessages: count,
        mailboxBytes: count,
        payloadBytes: count,
    }),
    budget: record({
        cpuMs: exports.amount,
        wallMs: exports.amount,
        fuel: count,
        outputBytes: count,
        hostCalls: count,
    }),
    config: json,
    restart: exports.text,
    shutdownMs: exports.amount,
});
