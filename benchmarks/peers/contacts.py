"""What the peers ask for: what the shipped sync of contacts asks for."""

QUERY = (
    "SELECT Id, Name, FirstName, LastName, Salutation, Title, Department, Email, Phone, MobilePhone, "
    "AccountId, Account.Name, OwnerId, LeadSource, Birthdate, Description, MailingStreet, MailingCity, "
    "MailingState, MailingPostalCode, MailingCountry, CreatedDate, IsDeleted, SystemModstamp FROM Contact"
)
