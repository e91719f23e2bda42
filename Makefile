# SPDX-License-Identifier: Apache-2.0
PACKAGES = libevent-dev libssl-dev libsqlite3-dev libunbound-dev libtomlplusplus-dev libcrypt-dev pkg-config g++

.PHONY: packages test
packages:
	@missing=$$(for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  sudo=$$([ $$(id -u) = 0 ] || echo sudo); \
	  $$sudo apt-get update && $$sudo apt-get install -y $$missing; \
	fi

test: packages
	MARTLET_WARNINGS_AS_ERRORS=1 swift test
