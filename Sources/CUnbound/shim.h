// SPDX-License-Identifier: Apache-2.0
//
// libunbound on an event loop. libevent_core is linked first: libunbound itself asks for the fat
// libevent, whose symbols would otherwise stand in the place of the loop's.

#pragma once

#include <unbound.h>
#include <unbound-event.h>
