// SPDX-License-Identifier: Apache-2.0
//
// What `user` and `alias` have in common: parse, perform, and say what failed.

internal import ArgumentParser
internal import Configuration
internal import MailStore
internal import MailSyntax
internal import Server

enum Administration {
    static func address(_ text: String) throws -> Address {
        guard let address = Address(parsing: text) else {
            throw Complaint(.usage, "\(text) is not an address; write local-part@domain")
        }
        return address
    }

    /// Performs one request and prints nothing when it succeeds.
    static func run(
        _ option: ConfigurationOption,
        _ request: (Configuration) throws -> AdministrationRequest
    ) throws {
        try Complaint.handling {
            let configuration = try option.load()
            let results = try self.perform([try request(configuration)], configuration)
            if let failure = results.first?.failure { throw self.complaint(failure) }
        }
    }

    static func perform(
        _ requests: [AdministrationRequest],
        _ configuration: Configuration
    ) throws -> [AdministrationResult] {
        do throws(Administrator.Failure) {
            return try Administrator(configuration: configuration).perform(requests)
        } catch {
            throw Complaint(error)
        }
    }

    static func complaint(_ failure: String) -> Complaint {
        Complaint(failure.hasPrefix("there is no such") ? .noUser : .data, failure)
    }

    enum Listing {
        case accounts
        case aliases
    }

    /// Prints all rows, a page at a time.
    static func list(
        _ option: ConfigurationOption,
        _ listing: Listing,
        print row: ([String]) -> Void
    ) throws {
        try Complaint.handling {
            let configuration = try option.load()
            var after: Address?
            while true {
                let count = AdministrationRequest.rowsMax
                let request: AdministrationRequest =
                    switch listing {
                    case .accounts: .accounts(after: after, count: count)
                    case .aliases: .aliases(after: after, count: count)
                    }
                guard let result = try self.perform([request], configuration).first else { return }
                if let failure = result.failure { throw self.complaint(failure) }
                for fields in result.rows {
                    row(fields.map { String(decoding: $0, as: UTF8.self) })
                }
                guard result.rows.count == count, let last = result.rows.last?.first else { return }
                after = Address(octets: last.span)
            }
        }
    }
}
