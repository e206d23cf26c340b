/**
 * Has protobufjs read and write 64-bit fields as numbers, instead of as objects of a library for
 * integers that we would turn into numbers at once: what a number cannot hold is refused anyway.
 * Must be imported before generated code, which asks for that library as it is loaded.
 */
import protobuf from 'protobufjs/minimal.js';

// Typed as always there, and documented as absent where the library is not installed.
(protobuf.util as { Long: unknown }).Long = undefined;
protobuf.configure();
