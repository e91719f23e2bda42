// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
//
// Martlet: an event-loop mail server. Imports only point up the list of targets below; the
// structure test holds that direction.

import PackageDescription

let strict: [SwiftSetting] = {
    var settings: [SwiftSetting] = [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("ImmutableWeakCaptures"),
        .enableExperimentalFeature("Lifetimes"),
    ]
    // Only our own checks turn warnings into errors: a newer compiler must not break users.
    if Context.environment["MARTLET_WARNINGS_AS_ERRORS"] != nil {
        settings.append(.treatAllWarnings(as: .error))
    }
    return settings
}()

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(of name: String, also dependencies: [Target.Dependency] = [], resources: [Resource] = [])
    -> Target
{
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.byName(name: name)] + dependencies,
        exclude: [],
        resources: resources,
        swiftSettings: strict
    )
}

/// What the server is assembled from.
let serving: [Target.Dependency] = [
    "Configuration", "Credentials", "DNSProtocol", "Delivery", "EventLoop", "MailBytes",
    "MailStore", "MailSyntax", "POP3Protocol", "PolicyFetch", "Privileges", "Resolver", "SASL",
    "SMTPProtocol",
    .product(name: "Logging", package: "swift-log"),
]

let package = Package(
    name: "martlet",
    products: [
        .library(name: "SMTPProtocol", targets: ["SMTPProtocol"]),
        .library(name: "POP3Protocol", targets: ["POP3Protocol"]),
        .library(name: "SASL", targets: ["SASL"]),
        .library(name: "MailSyntax", targets: ["MailSyntax"]),
        .library(name: "MailBytes", targets: ["MailBytes"]),
        .executable(name: "martlet", targets: ["martlet"]),
    ],
    dependencies: [
        // Exact versions: a build today and one next year are the same build.
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    ],
    targets: [
        // No pkgConfig here: libevent's .pc files add -levent, the fat library, whose symbols
        // would stand beside those of libevent_core.
        .systemLibrary(name: "CLibevent"),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt"),
        .systemLibrary(name: "CLinux"),
        // As with libevent: unbound's .pc file would add -levent.
        .systemLibrary(name: "CUnbound"),
        .systemLibrary(name: "CIDN", pkgConfig: "libidn2"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl"),
        .target(name: "CTOML"),

        module("MailBytes", []),
        module("MailSyntax", ["MailBytes"]),
        module("SASL", ["MailBytes"]),
        module("SMTPProtocol", ["MailBytes", "MailSyntax", "SASL"]),
        module("POP3Protocol", ["MailBytes", "SASL"]),
        module("DNSProtocol", ["MailBytes"]),
        module("Delivery", ["DNSProtocol", "MailBytes", "MailSyntax"]),
        module("Credentials", ["COpenSSL", "CCrypt", "MailBytes"]),
        module("MailStore", ["CSQLite", "MailBytes", "MailSyntax"]),
        module("EventLoop", ["CLibevent", "COpenSSL", "MailBytes"]),
        module("Configuration", ["CTOML", "MailBytes", "MailSyntax"]),
        module("Resolver", ["CIDN", "CUnbound", "DNSProtocol", "EventLoop", "MailBytes"]),
        module("PolicyFetch", ["CCurl", "EventLoop", "MailBytes"]),
        module("Privileges", ["CLinux"]),
        module("LoadTesting", ["EventLoop", "MailBytes"]),
        .executableTarget(
            name: "LoadDriver",
            dependencies: ["EventLoop", "LoadTesting", "MailBytes"],
            swiftSettings: strict
        ),
        module("Server", serving),
        module(
            "Simulation",
            [
                "Credentials", "DNSProtocol", "Delivery", "EventLoop", "MailBytes", "MailStore",
                "MailSyntax", "POP3Protocol", "SASL", "SMTPProtocol", "Server",
            ]
        ),
        .executableTarget(
            name: "martlet",
            dependencies: [
                "Configuration", "Credentials", "DNSProtocol", "Delivery", "EventLoop", "MailBytes",
                "MailStore", "MailSyntax", "PolicyFetch", "Resolver", "SASL", "SMTPProtocol",
                "Server",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        // Runs the built program and real clients; nothing of it is imported.
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["DNSSupport", "martlet"],
            exclude: ["Clients"],
            swiftSettings: strict
        ),

        tests(of: "MailBytes"),
        tests(of: "MailSyntax", also: ["MailBytes"]),
        .target(name: "CAllocationCount", path: "Tests/Support/CAllocationCount"),
        .target(
            name: "TranscriptSupport",
            path: "Tests/Support/TranscriptSupport",
            swiftSettings: strict
        ),
        tests(
            of: "SMTPProtocol",
            also: ["CAllocationCount", "MailBytes", "MailSyntax", "SASL", "TranscriptSupport"],
            resources: [
                .copy("Transcripts"), .copy("sequence.txt"), .copy("ClientTranscripts"),
                .copy("client-sequence.txt"),
            ]
        ),
        tests(
            of: "POP3Protocol",
            also: ["CAllocationCount", "MailBytes", "SASL", "TranscriptSupport"],
            resources: [.copy("Transcripts"), .copy("sequence.txt")]
        ),
        tests(
            of: "SASL",
            also: ["Credentials", "MailBytes", "TranscriptSupport"],
            resources: [.copy("Transcripts")]
        ),
        tests(of: "Credentials", also: ["MailBytes"]),
        // SQLite on a disk that fails and loses its power, for the tests of the store.
        .target(name: "CPowerCut", dependencies: ["CSQLite"], path: "Tests/Support/CPowerCut"),
        tests(of: "MailStore", also: ["CPowerCut", "MailBytes", "MailSyntax"]),
        tests(of: "EventLoop", also: ["MailBytes"]),
        // A name server for tests, and messages as octets.
        .target(
            name: "DNSSupport",
            dependencies: ["DNSProtocol", "EventLoop", "MailBytes"],
            path: "Tests/Support/DNSSupport",
            swiftSettings: strict
        ),
        tests(of: "DNSProtocol", also: ["DNSSupport", "MailBytes"]),
        tests(of: "Delivery", also: ["DNSProtocol", "MailBytes", "MailSyntax"]),
        tests(of: "Resolver", also: ["DNSProtocol", "DNSSupport", "EventLoop", "MailBytes"]),
        tests(of: "PolicyFetch", also: ["EventLoop", "MailBytes"]),
        tests(of: "Configuration", also: ["MailBytes", "MailSyntax"]),
        tests(of: "Privileges", also: ["EventLoop"]),
        tests(of: "LoadTesting", also: ["EventLoop", "MailBytes"]),
        .target(
            name: "StoreSupport",
            dependencies: ["MailStore"],
            path: "Tests/Support/StoreSupport",
            swiftSettings: strict
        ),
        tests(of: "Server", also: serving + ["Simulation", "StoreSupport"]),
        tests(of: "Simulation", also: ["MailStore", "MailSyntax", "StoreSupport"]),

        .target(
            name: "FuzzProperties",
            dependencies: [
                "Credentials", "DNSProtocol", "DNSSupport", "Delivery", "MailBytes", "MailSyntax",
                "POP3Protocol", "SASL", "SMTPProtocol", "Server",
            ],
            path: "Tests/Fuzz/FuzzProperties",
            swiftSettings: strict
        ),
        .testTarget(name: "StructureTests", swiftSettings: strict),
        .testTarget(name: "ProductsTests", swiftSettings: strict),
        .testTarget(
            name: "FuzzTests",
            dependencies: ["FuzzProperties", "TranscriptSupport"],
            swiftSettings: strict
        ),
    ],
    cxxLanguageStandard: .cxx17
)

// Only who measures builds what measures.
if Context.environment["MARTLET_BENCHMARKS"] != nil {
    package.targets.append(
        .executableTarget(
            name: "StoreBenchmark",
            dependencies: ["MailStore", "MailSyntax"],
            path: "benchmarks/StoreBenchmark",
            swiftSettings: strict
        )
    )
}

// What the fuzzers check is built and tested always; they themselves need a link with libFuzzer,
// which Tests/Fuzz/run does.
if Context.environment["MARTLET_FUZZ"] != nil {
    let fuzzers = [
        "FuzzAddress", "FuzzDNS", "FuzzPOP3", "FuzzPROXY", "FuzzSASL", "FuzzSMTP",
        "FuzzSMTPClient", "FuzzSTS", "FuzzToken",
    ]
    package.targets += fuzzers.map { name in
        .executableTarget(
            name: name,
            dependencies: ["FuzzProperties"],
            path: "Tests/Fuzz/\(name)",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]
        )
    }
}
