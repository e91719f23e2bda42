// SPDX-License-Identifier: Apache-2.0
//
// The floor: the least work that a mail server on one loop can do, as a yardstick for servers
// that do the whole job. It keeps no accounts and no maildrops, and answers from constants.

#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport.h"

enum { ENDPOINTS_MAX = 8, BACKLOG = 4096 };

static const char usage[] =
    "usage: floor [--epoll] [--log FILE] [--smtp PORT] [--pop3 PORT]\n"
    "             [--count FILE] [--certificate FILE --key FILE]\n"
    "Listens on 127.0.0.1. With --log a message is answered once it is in the file and synced;\n"
    "without, messages are thrown away. The first 8 octets of the file of --count are the number\n"
    "of messages answered so far. With a certificate it speaks TLS, and takes no mail.\n";

static int listen_on(unsigned port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    const int one = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // Accepted sockets inherit TCP_NODELAY.
    if (descriptor < 0 || setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0
        || setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0
        || bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0
        || listen(descriptor, BACKLOG) != 0) {
        perror("floor: listen");
        exit(EXIT_FAILURE);
    }
    return descriptor;
}

static void count_in(const char *path) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    void *page = MAP_FAILED;
    if (descriptor >= 0 && ftruncate(descriptor, sizeof(uint64_t)) == 0) {
        page = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    }
    if (page == MAP_FAILED) {
        perror("floor: count");
        exit(EXIT_FAILURE);
    }
    conversation_message_count = page;
    close(descriptor);
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        {"epoll", no_argument, NULL, 'e'},
        {"log", required_argument, NULL, 'l'},
        {"count", required_argument, NULL, 'n'},
        {"smtp", required_argument, NULL, 's'},
        {"pop3", required_argument, NULL, 'p'},
        {"certificate", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {NULL, 0, NULL, 0},
    };
    struct endpoint endpoints[ENDPOINTS_MAX];
    int count = 0, option;
    bool on_epoll = false;
    const char *certificate = NULL, *key = NULL;
    struct rlimit limit;

    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        enum protocol protocol = option == 's' ? PROTOCOL_SMTP : PROTOCOL_POP3;
        unsigned port = optarg == NULL ? 0 : (unsigned)strtoul(optarg, NULL, 10);
        switch (option) {
        case 'e':
            on_epoll = true;
            break;
        case 'c':
            certificate = optarg;
            break;
        case 'k':
            key = optarg;
            break;
        case 'n':
            count_in(optarg);
            break;
        case 'l':
            journal_open(optarg);
            break;
        case 's':
        case 'p':
            if (count == ENDPOINTS_MAX) exit(EXIT_FAILURE);
            endpoints[count++] = (struct endpoint){listen_on(port), protocol};
            break;
        default:
            fputs(usage, stderr);
            return EXIT_FAILURE;
        }
    }
    if (count == 0 || optind < argc || (certificate == NULL) != (key == NULL)) {
        fputs(usage, stderr);
        return EXIT_FAILURE;
    }
    conversation_prepare();
    puts("ready");
    fflush(stdout);
    if (certificate != NULL) serve_on_tls(endpoints, count, certificate, key);
    if (on_epoll) serve_on_epoll(endpoints, count);
    serve_on_bufferevents(endpoints, count);
}
