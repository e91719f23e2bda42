// SPDX-License-Identifier: Apache-2.0
//
// The built binary, as a process of its own, with real clients and over real sockets. The tests
// run one after another: each has the machine for itself, so that its time limits mean something.

import Testing

@Suite(.serialized)
enum EndToEnd {}
