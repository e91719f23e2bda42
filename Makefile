# SPDX-License-Identifier: Apache-2.0
#
# Builds, runs, tests, measures and installs Martlet. Each target first installs through apt the
# Debian packages that it needs and does not find; it says so, and does nothing when all are there.

SWIFT = swift
PREFIX = /usr/local
DESTDIR =
FUZZ_SECONDS = 300
BINARY = .build/release/martlet

# What the build links, and the compilers and tools it calls.
BUILD_PACKAGES = g++ git libcrypt-dev libcurl4-openssl-dev libevent-dev libidn2-dev \
    libsqlite3-dev libssl-dev libtomlplusplus-dev libunbound-dev pkg-config
# The lines that `make run` prints are typed to curl.
# The certificate of the demo is made by openssl.
RUN_PACKAGES = curl openssl
# The clients of the end-to-end tests.
TEST_PACKAGES = curl fetchmail gsasl libnet-ssleay-perl mount mpop msmtp netcat-openbsd openssl \
	python3 swaks

# The harness of the benchmarks, and the compiler of their yardstick.
BENCH_PACKAGES = gcc libc6-dev openssl python3

# Debian's fixes for libevent of September 2026; Martlet wants them on a Debian 12.
LIBEVENT_FIXED = 2.1.12-stable-8+deb12u1

.PHONY: help run build test lint fuzz bench install peers \
    build-packages run-packages test-packages bench-packages

help: ## say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

# $(call install-missing,PACKAGES): the shell lines that install those which are missing.
define install-missing
	@if ! command -v dpkg-query >/dev/null; then \
	    echo "No dpkg here: these Debian packages are taken to be installed: $(1)"; exit 0; fi; \
	missing=; for package in $(1); do \
	    dpkg-query -W -f '$${db:Status-Status}\n' $$package 2>/dev/null | grep -qx installed \
	        || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	sudo=; if [ "$$(id -u)" != 0 ]; then sudo=sudo; command -v sudo >/dev/null || { \
	    echo "Not root, and no sudo: as root, run apt-get install$$missing" >&2; exit 1; }; fi; \
	echo "Installing through apt:$$missing"; \
	$$sudo apt-get update -q && $$sudo env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -q -y --no-install-recommends $$missing
endef

build-packages:
	$(call install-missing,$(BUILD_PACKAGES))
	@if grep -qs bookworm /etc/os-release && dpkg --compare-versions \
	    "$$(dpkg-query -W -f '$${Version}' libevent-dev)" lt $(LIBEVENT_FIXED); then \
	    echo "Warning: libevent-dev is older than $(LIBEVENT_FIXED), which has security fixes;" \
	        "run: apt-get update && apt-get install libevent-dev" >&2; fi

run-packages: build-packages
	$(call install-missing,$(RUN_PACKAGES))

test-packages: build-packages
	$(call install-missing,$(TEST_PACKAGES))

bench-packages: build-packages
	$(call install-missing,$(BENCH_PACKAGES))

build: build-packages ## build the release: .build/release/martlet
	@$(SWIFT) build -c release --static-swift-stdlib --product martlet

$(BINARY):
	@$(MAKE) --no-print-directory build

# The password is made once and kept, so that the printed lines work on every later run. When the
# file was lost, the account gets a new password.
run: build run-packages var/tls/server.pem ## serve the demo of conf/martlet.toml in the foreground
	@set -e; umask 077; mkdir -p var; made=; \
	if [ ! -s var/demo-password ]; then \
	    head -c 15 /dev/urandom | od -An -v -tx1 | tr -d ' \n' > var/demo-password; made=yes; fi; \
	user="$(BINARY) user"; options="--password-stdin --config conf/martlet.toml"; \
	$$user add demo@example.test --if-missing $$options < var/demo-password; \
	[ -z "$$made" ] || $$user passwd demo@example.test $$options < var/demo-password; \
	say="printf 'From: demo@example.test\r\nSubject: Hello\r\n\r\nIt works.\r\n' | curl -sS"; \
	login='-u "demo@example.test:$$(cat var/demo-password)" --cacert var/tls/server.pem'; \
	to="--mail-rcpt demo@example.test --upload-file -"; \
	submit="--mail-from demo@example.test $$to"; \
	printf '%s\n' "" \
	    "Serving until Ctrl-C on 127.0.0.1: SMTP 2525, submission 2587 and 2465 (TLS), POP3 2110" \
	    "and 2995 (TLS)." \
	    "From another shell in this directory, send a message and fetch it again:" "" \
	    "    $$say smtp://127.0.0.1:2525 --mail-from you@example.org $$to" \
	    "    $$say smtp://127.0.0.1:2587 --ssl-reqd $$login $$submit" \
	    "    $$say smtps://127.0.0.1:2465 $$login $$submit" \
	    "    curl -sS pop3s://127.0.0.1:2995/1 $$login" \
	    "    curl -sS pop3://127.0.0.1:2110/1 $$login" ""; \
	exec $(BINARY) serve --config conf/martlet.toml

# JavaMail and s-nail do not match an address in a certificate: it names localhost as well.
var/tls/server.pem:
	@umask 077; mkdir -p var/tls; \
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
	    -subj /CN=mail.example.test \
	    -addext subjectAltName=DNS:mail.example.test,DNS:localhost,IP:127.0.0.1,IP:::1 \
	    -keyout var/tls/server.key -out var/tls/server.new 2>var/tls/errors \
	    || { cat var/tls/errors >&2; exit 1; }; \
	mv var/tls/server.new $@; rm var/tls/errors

# The unit tests run in parallel; those that start servers and clients after them, one by one.
# Warnings are errors here, and only here: a newer compiler must not break anybody's build.
test: build test-packages peers ## run every test
	@export MARTLET_WARNINGS_AS_ERRORS=1 MARTLET_BINARY="$(CURDIR)/$(BINARY)"; status=0; \
	$(SWIFT) build --build-tests || exit 1; \
	$(SWIFT) test --skip-build --skip EndToEndTests || status=1; \
	$(SWIFT) test --skip-build --no-parallel --filter EndToEndTests || status=1; \
	exit $$status

# Postfix, Dovecot, NSD and ldns are unpacked with the libraries they need, and never installed.
peers: test-packages
	@Tests/EndToEndTests/Clients/unpack-peers .build/peers

lint: ## hold the sources against .swift-format
	@$(SWIFT) format lint --strict -r Sources Tests Package.swift

fuzz: build-packages ## fuzz the parsers and the sessions, each for FUZZ_SECONDS (300)
	@Tests/Fuzz/run $(FUZZ_SECONDS)

bench: build bench-packages ## measure against the floor; results in benchmarks/results
	@benchmarks/run
	@benchmarks/handshakes
	@benchmarks/slowpeers
	@benchmarks/relay

# As root after `make build` by a user: builds only when nothing was built.
install: $(BINARY) ## install under PREFIX (/usr/local); DESTDIR for packagers
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/doc/martlet \
	    $(DESTDIR)$(PREFIX)/share/doc/martlet/fail2ban \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	    $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	install -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/martlet
	# Called by these names it takes sendmail's arguments. No sendmail that is there is replaced:
	# `update-alternatives`, or a link in /usr/sbin, makes it the system's.
	install -d $(DESTDIR)$(PREFIX)/lib/martlet
	ln -sf martlet $(DESTDIR)$(PREFIX)/bin/martlet-sendmail
	ln -sf ../../bin/martlet $(DESTDIR)$(PREFIX)/lib/martlet/sendmail
	install -m 644 README.md LICENSE conf/*.toml conf/martlet.socket \
	    $(DESTDIR)$(PREFIX)/share/doc/martlet
	install -m 644 conf/fail2ban/* $(DESTDIR)$(PREFIX)/share/doc/martlet/fail2ban
	sed 's|/usr/local|$(PREFIX)|g' conf/martlet.service \
	    > $(DESTDIR)$(PREFIX)/lib/systemd/system/martlet.service
	$(BINARY) --generate-completion-script bash \
	    > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/martlet
	$(BINARY) --generate-completion-script zsh \
	    > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_martlet
