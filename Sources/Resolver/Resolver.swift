// SPDX-License-Identifier: Apache-2.0
//
// A resolver on the event loop: libunbound asks, validates and remembers.
