// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Configuration
internal import MailBytes
internal import Resolver
internal import Server

struct MX: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mx",
        abstract: "Say which hosts take a domain's mail, and in which order they are tried.",
        discussion: """
            Prints the answer of the domain name system to the question for MX records as three \
            lists; what is looked up in addition, because the answer lacks it, is marked with a \
            star. Then comes the order in which mail would be delivered, and why. Works without a \
            configuration, too.

            Exit codes: 0 when there are hosts to try, 68 when the domain does not exist, 69 when \
            it takes no mail, 75 when nobody could tell.
            """
    )

    @Argument(help: "The domain, such as example.org.") var domain: String
    @Option(
        name: .customLong("server"),
        help: ArgumentHelp(
            "A name server to ask, in place of the configured ones; may be repeated.",
            valueName: "address[@port]"
        )
    )
    var servers: [String] = []
    @Flag(help: "One JSON object.") var json = false
    @OptionGroup var configuration: ConfigurationOption

    func validate() throws {
        for server in self.servers where ResolverSettings.server(server) == nil {
            throw ValidationError("--server takes an address, or address@port, not \(server)")
        }
        guard self.name != nil else {
            throw ValidationError("\(self.domain) is no domain; write one such as example.org")
        }
    }

    func run() throws {
        try Complaint.handling {
            let configuration = try self.configuration.loadIfThere() ?? Configuration()
            var settings = configuration.resolverSettings
            if !self.servers.isEmpty {
                settings.servers = .addresses(self.servers.compactMap(ResolverSettings.server))
            }
            let survey = try MXSurveyor.survey(
                self.name ?? self.domain,
                configuration: configuration,
                resolver: settings
            )
            print(self.json ? MXListing.json(survey) : MXListing.text(survey))
            if let exit = survey.exit { throw exit }
        }
    }

    /// In A-labels; a literal as it is.
    private var name: String? {
        self.domain.hasPrefix("[") && self.domain.hasSuffix("]")
            ? self.domain.lowercased() : DomainName.ascii(self.domain)
    }
}
