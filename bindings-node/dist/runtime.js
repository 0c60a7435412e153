"use strict";
// One JavaScript environment and what it waits for. A promise that waits keeps the process alive; nothing else here
// does. It also keeps its system from being collected, as does a handler.
Object.defineProperty(exports, "__esModule", { value: true });
exports.host = void 0;
exports.outcome = outcome;
exports.value = value;
exports.checkSignal = checkSignal;
exports.withHandler = withHandler;
const node_util_1 = require("node:util");
const errors_1 = require("./errors");
const native_1 = require("./native");
const options_1 = require("./options");
/** The kinds of entries in a batch. */
const SETTLED = 0;
const MESSAGE = 1;
/** Of a text about something thrown so much is kept. */
const TEXT_MAX = 16 * 1_024;
const waiting = new Map();
const handlers = new Map();
let lastHandler = 0;
exports.host = new native_1.native.Host(dispatch);
// `process.exit` and an uncaught exception skip the cleanup of the main environment, but not this.
process.once('exit', () => exports.host.abandon());
/** The promise of an operation that is over or has a ticket; `convert` makes the value that the caller sees. */
function outcome(owner, answer, convert, signal) {
    if (typeof answer === 'string')
        return Promise.reject(errors_1.AirwasmError.of(answer, signal));
    if (typeof answer !== 'number')
        return Promise.resolve(convert(answer));
    return new Promise((resolve, reject) => {
        waiting.set(answer, { owner, resolve: (value) => resolve(convert(value)), reject, signal });
        if (signal)
            watch(signal, answer);
    });
}
/** The value of an operation that never waits; throws its error. */
function value(answer) {
    if (typeof answer === 'string')
        throw errors_1.AirwasmError.of(answer);
    return answer;
}
/** Throws if the signal was aborted before its call begins. */
function checkSignal(signal) {
    if (signal?.aborted)
        throw errors_1.AirwasmError.of(native_1.native.cancelledError(), signal);
}
/** Takes a handler in; `spawn` is given its number. The handler stays until its actor has ended for good. */
function withHandler(owner, handler, spawn) {
    const number = ++lastHandler;
    handlers.set(number, { owner, handler });
    return value(spawn(number));
}
/** Signals with the tickets they cancel. One listener a signal, for a hundred requests may share one. */
const watched = new WeakMap();
function watch(signal, ticket) {
    const known = watched.get(signal);
    if (known) {
        known.tickets.add(ticket);
        return;
    }
    const tickets = new Set([ticket]);
    const listener = () => tickets.forEach((ticket) => exports.host.cancel(ticket));
    watched.set(signal, { tickets, listener });
    signal.addEventListener('abort', listener);
}
function unwatch(signal, ticket) {
    const known = watched.get(signal);
    if (!known?.tickets.delete(ticket) || known.tickets.size > 0)
        return;
    signal.removeEventListener('abort', known.listener);
    watched.delete(signal);
}
/** Takes one batch apart. It runs no code that could throw: handlers are guarded, and promises settle later. */
function dispatch(batch) {
    for (let at = 0; at < batch.length;) {
        const kind = batch[at++];
        const number = batch[at++];
        if (kind === SETTLED) {
            settle(number, batch[at++]);
        }
        else if (kind === MESSAGE) {
            const [reply, sender, to, payload, contentType] = batch.slice(at, (at += 5));
            const message = { sender, to, payload, ...(typeof contentType === 'string' && { contentType }) };
            handle(number, reply, message);
        }
        else {
            handlers.delete(number);
        }
    }
}
function settle(ticket, answer) {
    const entry = waiting.get(ticket);
    if (!entry)
        return;
    waiting.delete(ticket);
    if (entry.signal)
        unwatch(entry.signal, ticket);
    if (typeof answer === 'string')
        entry.reject(errors_1.AirwasmError.of(answer, entry.signal));
    else
        entry.resolve(answer);
}
function handle(number, reply, message) {
    try {
        const answer = handlers.get(number)?.handler(message);
        if (isThenable(answer))
            Promise.resolve(answer).then((later) => respond(reply, later), (error) => refuse(reply, error));
        else
            respond(reply, answer);
    }
    catch (error) {
        refuse(reply, error);
    }
}
function isThenable(value) {
    return typeof value === 'object' && value !== null && typeof value.then === 'function';
}
function respond(reply, answer) {
    try {
        exports.host.reply(reply, answer === undefined ? new Uint8Array() : (0, options_1.payload)(answer, 'the answer of a handler'));
    }
    catch (error) {
        refuse(reply, error);
    }
}
function refuse(reply, error) {
    try {
        if (error instanceof errors_1.Failure)
            return exports.host.replyFailure(reply, String(error.code), String(error.message));
    }
    catch {
        // A thrown value may refuse even this question, as a revoked proxy does.
    }
    exports.host.replyRaised(reply, ...describe(error));
}
/** Name, message and stack of anything that can be thrown, a hostile object included. */
function describe(error) {
    const texts = (...all) => all.map((text) => String(text).slice(0, TEXT_MAX));
    try {
        return node_util_1.types.isNativeError(error) ? texts(error.name, error.message, error.stack) : texts(typeof error, error, '');
    }
    catch {
        return [typeof error, 'a thrown value that has no text', ''];
    }
}
