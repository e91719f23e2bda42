// SPDX-License-Identifier: Apache-2.0
//
// Fetches the policies of MTA-STS (RFC 8461) over HTTPS: libcurl on the event loop.
