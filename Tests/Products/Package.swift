// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
//
// A package of somebody else, who uses the library products and nothing beside them. It is built
// and run by ProductsTests.

import PackageDescription

let package = Package(
    name: "conversation",
    dependencies: [.package(name: "martlet", path: "../..")],
    targets: [
        .executableTarget(
            name: "Conversation",
            dependencies: [
                .product(name: "MailBytes", package: "martlet"),
                .product(name: "MailSyntax", package: "martlet"),
                .product(name: "POP3Protocol", package: "martlet"),
                .product(name: "SASL", package: "martlet"),
                .product(name: "SMTPProtocol", package: "martlet"),
            ]
        )
    ]
)
