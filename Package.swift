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

let package = Package(
    name: "martlet",
    products: [
        .library(name: "SMTPProtocol", targets: ["SMTPProtocol"]),
        .library(name: "POP3Protocol", targets: ["POP3Protocol"]),
        .library(name: "MailSyntax", targets: ["MailSyntax"]),
        .library(name: "MailBytes", targets: ["MailBytes"]),
    ],
    targets: [
        // No pkgConfig here: libevent's .pc files add -levent, the fat library, whose symbols
        // would stand beside those of libevent_core.
        .systemLibrary(name: "CLibevent"),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt"),
        .target(name: "CTOML"),

        module("MailBytes", []),
        module("MailSyntax", ["MailBytes"]),
        module("SMTPProtocol", ["MailBytes", "MailSyntax"]),
        module("POP3Protocol", ["MailBytes"]),
        module("Credentials", ["COpenSSL", "CCrypt", "MailBytes"]),
        module("MailStore", ["CSQLite", "MailBytes", "MailSyntax"]),
        module("EventLoop", ["CLibevent", "MailBytes"]),
        module("Configuration", ["CTOML", "MailBytes", "MailSyntax"]),

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
            also: ["CAllocationCount", "MailBytes", "MailSyntax", "TranscriptSupport"],
            resources: [.copy("Transcripts"), .copy("sequence.txt")]
        ),
        tests(
            of: "POP3Protocol",
            also: ["CAllocationCount", "MailBytes"],
            resources: [.copy("Transcripts"), .copy("sequence.txt")]
        ),
        tests(of: "Credentials", also: ["MailBytes"]),
        tests(of: "MailStore", also: ["MailBytes", "MailSyntax"]),
        tests(of: "EventLoop", also: ["MailBytes"]),
        tests(of: "Configuration", also: ["MailBytes", "MailSyntax"]),
    ],
    cxxLanguageStandard: .cxx17
)
